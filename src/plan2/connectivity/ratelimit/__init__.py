"""How much each tenant, person, key and address may ask for, and what is shed under load."""
