#!/bin/sh
# Create the connection, the questions and the dashboard with the API: https://www.metabase.com/docs/latest/api
# METABASE_URL and METABASE_API_KEY name the server and a key of an administrator. Needs curl and jq.
set -eu
cd "$(dirname "$0")"
post() { curl -fsS -H "x-api-key: $METABASE_API_KEY" -H "content-type: application/json" -X "$1" -d @- "$METABASE_URL/api/$2"; }
database=$(post POST database < connection.json | jq .id)
dashboard=$(jq '{name}' dashboard.json | post POST dashboard | jq .id)
jq -c '.cards[]' dashboard.json | while read -r card; do
  echo "$card" | jq ".dataset_query.database = $database" | post POST card | jq .id
done | jq -s '{dashcards: [to_entries[] | {id: (-1 - .key), card_id: .value, row: (.key * 6), col: 0, size_x: 24, size_y: 6}]}' |
  post PUT "dashboard/$dashboard" > /dev/null
echo "$METABASE_URL/dashboard/$dashboard"
