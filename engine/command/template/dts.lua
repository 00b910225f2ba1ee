return {
  name = "NAME",
  timezone = "UTC",
}
