"""Giving a host back: record says what packages brought, plan what goes and what stays, carry_out does it."""
