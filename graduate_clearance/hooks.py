def uninstall_hook(env):
    """Remove the function that keeps the log append-only; Odoo removes tables only."""
    env.cr.execute("DROP FUNCTION IF EXISTS clearance_log_append_only() CASCADE")
