"""What inventory servers have in common: records as objects, what is sent when, REST in lists."""
