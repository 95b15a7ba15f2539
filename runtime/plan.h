/* What is run, what is done on the way, and where values lie. */
#ifndef RT_PLAN_H
#define RT_PLAN_H

#include "network.h"

/* The users of weights and how they run, which reading the weights depends on. UNSUPPORTED where
 * one's panel has more floats than a network may have. */
admmnn_runtime_status rt_plan_layers(rt_opening *opening);
/* When all parameters are read: what a layer's output goes through becomes the layer's where it
 * can, and every value gets a place in the workspace. UNSUPPORTED where that is larger than
 * size_t tells. */
admmnn_runtime_status rt_plan(rt_opening *opening);

#endif
