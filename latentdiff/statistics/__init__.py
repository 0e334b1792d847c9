"""Statistics of any two groups or methods: intervals, tests, bootstrap. Nothing here knows of images or words."""
