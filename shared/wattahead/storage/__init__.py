"""The bucket: objects, actuals, features, bundles, registry, tables and ledger."""
