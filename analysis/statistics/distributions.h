// The normal and Student's t distributions: cumulative probabilities and quantiles.
#pragma once

namespace roundtrip::analysis {

double normal_cdf(double z);
double normal_quantile(double p);  // -inf at 0, +inf at 1, NaN outside

double student_cdf(double t, double degrees_of_freedom);
double student_quantile(double p, double degrees_of_freedom);

}  // namespace roundtrip::analysis
