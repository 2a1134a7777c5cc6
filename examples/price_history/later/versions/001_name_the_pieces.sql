-- `pcs` was the name in the export; reports say pieces.
alter table prices.stock rename column pcs to pieces;
