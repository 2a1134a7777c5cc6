-- One row is one reading room's visits on one day.
select branch, cast(came_at as date) as day, count(*) as visits, count(distinct member) as members
from reading_room.visits
group by all
