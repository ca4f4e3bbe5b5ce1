"""Layers: functions of Tensors that own parameters.  Read module, init, functions, weighted, pools, regular,
group_conv."""
