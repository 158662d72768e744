"""What the operating system does for the store: durable writes, locks, leases, space in reserve."""
