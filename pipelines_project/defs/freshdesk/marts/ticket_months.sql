-- One row is one group in one month: tickets opened, tickets resolved, the backlog at the month's
-- end (for the current month: now), and the median hours to first response and to resolution of
-- the tickets that were answered, or resolved, in the month.
-- Deleted tickets and spam do not count; a ticket counts for the group that has it now.
with known as (
    select
        coalesce(groups.name, 'group ' || tickets.group_id, 'no group') as group_name,
        tickets.created_at,
        tickets.stats__first_responded_at as responded_at,
        coalesce(tickets.stats__resolved_at, tickets.stats__closed_at) as resolved_at
    from freshdesk.tickets as tickets
    left join freshdesk.groups as groups on groups.id = tickets.group_id
    where not (tickets.deleted or tickets.spam)
),

events as (
    select
        group_name,
        date_trunc('month', created_at) as month,
        1 as opened,
        0 as resolved,
        null as response_hours,
        null as resolution_hours
    from known
    union all
    select
        group_name,
        date_trunc('month', resolved_at),
        0,
        1,
        null,
        date_diff('second', created_at, resolved_at) / 3600
    from known
    where resolved_at is not null
    union all
    select
        group_name,
        date_trunc('month', responded_at),
        0,
        0,
        date_diff('second', created_at, responded_at) / 3600,
        null
    from known
    where responded_at is not null
),

-- Every month of every group, because a group without events in a month still has a backlog.
months as (
    select
        group_name,
        unnest(
            generate_series(min(month), (select max(month) from events), interval 1 month)
        ) as month
    from events
    group by group_name
),

counted as (
    select
        months.group_name,
        months.month,
        coalesce(sum(events.opened), 0) as opened,
        coalesce(sum(events.resolved), 0) as resolved,
        median(events.response_hours) as median_hours_to_first_response,
        median(events.resolution_hours) as median_hours_to_resolution
    from months
    left join events on events.group_name = months.group_name and events.month = months.month
    group by months.group_name, months.month
)

select
    strftime(month, '%Y-%m') as month, -- the month, YYYY-MM, in UTC
    group_name, -- the group that the tickets are assigned to
    cast(opened as bigint) as opened, -- tickets opened in the month
    cast(resolved as bigint) as resolved, -- tickets resolved in the month
    cast(
        sum(opened - resolved) over (partition by group_name order by month) as bigint
    ) as backlog, -- tickets open at the end of the month
    round(median_hours_to_first_response, 2) as median_hours_to_first_response, -- of those answered
    round(median_hours_to_resolution, 2) as median_hours_to_resolution -- of those resolved
from counted
