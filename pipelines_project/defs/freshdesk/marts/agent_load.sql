-- One row is one agent, and one more is for tickets without an agent: the tickets that are open now,
-- how many of them are urgent (priority 4) or past their due date, and what was done so far.
-- Deleted tickets and spam do not count; a ticket counts for the agent who has it now.
with known as (
    select
        responder_id,
        created_at,
        due_by,
        priority,
        stats__first_responded_at as responded_at,
        coalesce(stats__resolved_at, stats__closed_at) as resolved_at
    from freshdesk.tickets
    where not (deleted or spam)
),

loads as (
    select
        responder_id,
        count(*) filter (where resolved_at is null) as open_tickets,
        count(*) filter (where resolved_at is null and priority = 4) as urgent_tickets,
        count(*) filter (where resolved_at is null and due_by < now()) as overdue_tickets,
        min(created_at) filter (where resolved_at is null) as oldest_open_at,
        count(resolved_at) as resolved_tickets,
        median(date_diff('second', created_at, responded_at)) / 3600 as response_hours,
        median(date_diff('second', created_at, resolved_at)) / 3600 as resolution_hours
    from known
    group by responder_id
)

select
    loads.responder_id as agent_id, -- null for tickets without an agent
    coalesce(
        agents.contact__name, 'agent ' || loads.responder_id, 'no agent'
    ) as agent_name, -- or the id of one who is not landed
    loads.open_tickets, -- tickets that are neither resolved nor closed
    loads.urgent_tickets, -- of these, the urgent ones
    loads.overdue_tickets, -- of these, those past their due time
    loads.oldest_open_at, -- when the oldest of these was opened
    loads.resolved_tickets, -- tickets that are resolved or closed
    round(loads.response_hours, 2) as median_hours_to_first_response, -- since opened
    round(loads.resolution_hours, 2) as median_hours_to_resolution -- since opened
from loads
left join freshdesk.agents as agents on agents.id = loads.responder_id
