-- One row is one store's takings in one month, beside its target.
with taken as (
    select month, store, sum(amount) as taken from exports.receipts group by month, store
)

select taken.month, taken.store, stores.manager, taken.taken, targets.target
from taken
left join exports.targets on targets.month = taken.month and targets.store = taken.store
left join exports.stores on stores.store = taken.store
