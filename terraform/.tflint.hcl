# What tflint brings itself. Its rules for AWS are a plugin of its own, with a release of its own: the provider's validation,
# checkov and the plans against a stand-in for AWS take their place.
plugin "terraform" {
  enabled = true
  preset  = "all"
}
