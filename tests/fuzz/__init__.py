"""What must hold whatever bytes come in: targets, run by hypothesis in the tests and by atheris in ``make fuzz``."""
