-- Lines have no date of their own: they belong to the month of their order.
select order_lines.*, orders.created_at
from order_lines
join orders on orders.id = order_lines.order_id
where orders.created_at >= :month_start and orders.created_at < :month_end
