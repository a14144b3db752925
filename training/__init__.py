"""How the networks are trained and measured; installed as `smern_ros.training`. Needs no ROS."""
