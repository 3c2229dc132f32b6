-- Who may ask with a password, and to whom calls of nobody in particular are counted.
ALTER TABLE subscriber ADD COLUMN credentials TEXT;   -- sealed, see accounts/credentials.rs; NULL: none

ALTER TABLE domain ADD COLUMN default_user TEXT NOT NULL DEFAULT 'default';
