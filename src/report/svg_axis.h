#ifndef REPORT_SVG_AXIS_H
#define REPORT_SVG_AXIS_H

#include "report/svg.h"

/* Place of a value between the axis's ends, in [0, 1]. */
double svg_axis_place(const svg_axis *axis, double value);

#endif
