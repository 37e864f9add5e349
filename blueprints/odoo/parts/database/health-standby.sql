-- Whether the database follows: it answers, and still recovers. One that takes writes is a standby no more.
SELECT pg_is_in_recovery() AS follows \gset
\if :follows
  \echo open
\endif
