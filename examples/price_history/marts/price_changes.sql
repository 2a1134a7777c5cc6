-- One row is one change of an article's price.
with versions as (
    select article, price, valid_from,
        lag(price) over (partition by article order by valid_from) as price_before
    from prices.articles
)

select article, valid_from::date as changed_on, price_before, price
from versions
where price <> price_before
