"""The story of an installment as Temporal sees it: waiting, acting, asking again."""
