"""What is stored: tables, sessions, queries, migrations; never Discord, never HTTP."""
