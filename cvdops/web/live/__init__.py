"""The live part of an execution's page: output as safe lines, one hub that feeds all viewers."""
