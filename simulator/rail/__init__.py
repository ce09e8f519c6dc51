"""The rails: orders against mandates, their execution and returns, webhooks to the merchant."""
