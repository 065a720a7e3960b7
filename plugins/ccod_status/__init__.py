"""How the daemon is, on one screen: `/api/status` and `ccod status`."""
