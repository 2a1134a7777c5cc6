-- One row is one opening that a player met, by its ECO code, over all months.
-- The code stands in the game's PGN; the field `eco` is the address of a page, and often missing.
-- A win scores 1 and a draw one half. A game that names neither side as the player, who has
-- another name by now, counts as a game and has no score.
with played as (
    select
        player,
        coalesce(nullif(regexp_extract(pgn, '\[ECO "([^"]*)"\]', 1), ''), 'unknown') as eco,
        case player
            when lower(white__username) then white__result
            when lower(black__username) then black__result
        end as result
    from chess.games
)

select
    player, -- the tracked player
    eco, -- the code of the opening, or unknown
    count(*) as games, -- how many games began with it
    sum(
        case
            when result = 'win' then 1
            when result in (
                'agreed', 'repetition', 'stalemate', 'insufficient', '50move', 'timevsinsufficient'
            ) then 0.5
            when result is not null then 0
        end
    ) as score, -- a win counts 1, a draw one half
    round(score / count(result), 3) as score_per_game -- of the games that name the player
from played
group by player, eco
