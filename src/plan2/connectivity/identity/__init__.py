"""Who somebody is and what they may do: users, sign-in tokens, sessions, rights."""
