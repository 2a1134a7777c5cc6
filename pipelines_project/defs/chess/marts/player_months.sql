-- incremental: month
-- One row is one player's games of one time class that ended in one month.
-- Ratings are the player's own after each game; a draw is any result that is neither
-- a win nor a loss (chess.com PubAPI, "Game results codes").
with played as (
    select
        player,
        month,
        time_class,
        case player
            when lower(white__username) then white__result
            when lower(black__username) then black__result
        end as result,
        case player
            when lower(white__username) then white__rating
            when lower(black__username) then black__rating
        end as rating
    from chess.games
)

select
    player,
    month,
    time_class, -- bullet, blitz, rapid or daily
    count(*) as games, -- how many games ended
    count(*) filter (where result = 'win') as won, -- how many the player won
    count(*) filter (
        where result in (
            'agreed', 'repetition', 'stalemate', 'insufficient', '50move', 'timevsinsufficient'
        )
    ) as drawn, -- how many were drawn
    count(result) - won - drawn as lost, -- how many the player lost
    round(avg(rating), 1) as average_rating,
    max(rating) as best_rating -- of the player, after any game
from played
group by player, month, time_class
