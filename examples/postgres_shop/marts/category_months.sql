-- One row is one category's sales in one month, in the shop's currency.
select
    orders.month,
    categories.name as category,
    count(distinct orders.id) as orders,
    sum(order_lines.pieces) as pieces,
    sum(order_lines.pieces * order_lines.price) as revenue
from shop.orders
join shop.order_lines on order_lines.order_id = orders.id
join shop.products on products.id = order_lines.product_id
join shop.categories on categories.id = products.category_id
group by all
