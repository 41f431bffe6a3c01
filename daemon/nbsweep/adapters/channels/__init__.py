"""The channels: mail servers, robots of chats, webhooks. Imported only if the configuration has channels."""
