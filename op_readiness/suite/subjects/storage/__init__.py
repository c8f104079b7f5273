"""What the readiness tests of Core.Storage act on: folders of hosts, volumes of Pods, Nodes that reboot."""
