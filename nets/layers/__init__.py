"""Layers: functions of Tensors that own parameters.  Read module, init, settings, functions, weighted, pools,
regular, group_conv."""
