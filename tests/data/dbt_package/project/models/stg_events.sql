select 1 as id, 'naïve 🦆' as label
