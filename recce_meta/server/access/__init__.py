"""Who may ask: sessions, scopes, limits of requests, and how a refusal is answered."""
