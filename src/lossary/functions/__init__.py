"""The vocabulary of formulas: primitives, and named functions built from them.

A primitive is spelled once per target in ``render/``, and once in mpmath by the oracle. A named
function is two facts: what it *means*, a formula in textbook words, which the oracle evaluates and
readers see, and how it is *computed*, stable, in primitives. Its *slope* is the derivative of the
meaning, never of the stable form.
"""

from lossary.functions.affinity import (
    affinity_gap as affinity_gap,
    geometric_mean as geometric_mean,
    log_affinity as log_affinity,
    log_weighted_affinity as log_weighted_affinity,
    power_sum_gap as power_sum_gap,
    root_difference as root_difference,
    root_distance as root_distance,
    squared_root_difference as squared_root_difference,
    weighted_affinity_gap as weighted_affinity_gap,
    weighted_geometric_mean as weighted_geometric_mean,
)
from lossary.functions.aggregates import (
    log_share as log_share,
    matthews_gap as matthews_gap,
    mean as mean,
    rest_share as rest_share,
    root as root,
    share as share,
    share_power as share_power,
)
from lossary.functions.alpha import (
    alpha_gap as alpha_gap,
    power_of_ratio as power_of_ratio,
)
from lossary.functions.angles import (
    acos as acos,
    angle_of_gaps as angle_of_gaps,
    atan as atan,
    sine_of_cosine as sine_of_cosine,
)
from lossary.functions.asymmetric import (
    shifted_focal as shifted_focal,
    softmax_power_gap as softmax_power_gap,
)
from lossary.functions.beta import (
    beta_nll as beta_nll,
    beta_nll_share_slope as beta_nll_share_slope,
    beta_nll_slope as beta_nll_slope,
    trigamma_difference as trigamma_difference,
)
from lossary.functions.bounds import (
    negative_log_between as negative_log_between,
    nearer_bound as nearer_bound,
)
from lossary.functions.normal_bounds import (
    negative_log_between_normal as negative_log_between_normal,
    nearer_normal_bound as nearer_normal_bound,
    normal_bound_density as normal_bound_density,
)
from lossary.functions.bessel import (
    i0e as i0e,
    i1e as i1e,
)
from lossary.functions.boxes import (
    aspect_distance as aspect_distance,
    box_iou as box_iou,
    box_iou_gap as box_iou_gap,
    box_iou_power as box_iou_power,
    box_iou_power_gap as box_iou_power_gap,
    centre_distance as centre_distance,
    enclosing_rest as enclosing_rest,
    log_box_iou as log_box_iou,
    side_distance as side_distance,
)
from lossary.functions.carried import (
    exp_gap_of_rounded as exp_gap_of_rounded,
    exp_of_rounded as exp_of_rounded,
    expm1_of_rounded as expm1_of_rounded,
    log_ndtr_of_rounded as log_ndtr_of_rounded,
    normal_hazard_of_rounded as normal_hazard_of_rounded,
    sigmoid_cross_entropy_of_rounded as sigmoid_cross_entropy_of_rounded,
    sigmoid_cross_entropy_slope_of_rounded as sigmoid_cross_entropy_slope_of_rounded,
    sigmoid_of_rounded as sigmoid_of_rounded,
    softplus_of_rounded as softplus_of_rounded,
)
from lossary.functions.chains import (
    paired as paired,
)
from lossary.functions.circular import (
    angular_spread as angular_spread,
    fourfold_angle as fourfold_angle,
    langevin as langevin,
    log_sinh_over as log_sinh_over,
    von_mises_concentration_slope as von_mises_concentration_slope,
    von_mises_nll as von_mises_nll,
)
from lossary.functions.compensated import (
    exp_difference as exp_difference,
    exp_product as exp_product,
    sum_of_five as sum_of_five,
    sum_of_four as sum_of_four,
    sum_of_three as sum_of_three,
)
from lossary.functions.crps import (
    exponential_crps as exponential_crps,
    exponential_crps_rate_slope as exponential_crps_rate_slope,
    exponential_crps_slope as exponential_crps_slope,
    normal_crps as normal_crps,
    normal_crps_scale_slope as normal_crps_scale_slope,
    normal_crps_slope as normal_crps_slope,
)
from lossary.functions.divergence import (
    log_relative_entropy as log_relative_entropy,
    relative_entropy as relative_entropy,
    relative_entropy_term as relative_entropy_term,
    softmax_change as softmax_change,
    softmax_cross_entropy as softmax_cross_entropy,
    softmax_divergence as softmax_divergence,
    softmax_jensen_gap as softmax_jensen_gap,
    softmax_shift as softmax_shift,
)
from lossary.functions.elementwise import (
    bernoulli_cross_entropy as bernoulli_cross_entropy,
    bernoulli_cross_entropy_slope as bernoulli_cross_entropy_slope,
    exp_minus as exp_minus,
    gaussian_nll as gaussian_nll,
    gaussian_nll_variance_slope as gaussian_nll_variance_slope,
    jensen_gap as jensen_gap,
    log1p_difference as log1p_difference,
    log_ratio as log_ratio,
    log_sigmoid as log_sigmoid,
    log_to_middle as log_to_middle,
    poisson_nll as poisson_nll,
    poisson_rate_nll as poisson_rate_nll,
    poisson_rate_nll_slope as poisson_rate_nll_slope,
    power_below as power_below,
    power_complement as power_complement,
    relative_error as relative_error,
    sech_squared as sech_squared,
    sigmoid as sigmoid,
    sigmoid_cross_entropy as sigmoid_cross_entropy,
    sigmoid_cross_entropy_slope as sigmoid_cross_entropy_slope,
    sigmoid_focal as sigmoid_focal,
    sigmoid_power as sigmoid_power,
    softplus as softplus,
)
from lossary.functions.error_function import (
    erf as erf,
    erfc as erfc,
    hazard_excess as hazard_excess,
    log_ndtr as log_ndtr,
    ndtr as ndtr,
    normal_density as normal_density,
    normal_hazard as normal_hazard,
)
from lossary.functions.exponentials import (
    asinh as asinh,
    cosh as cosh,
    difference_of_squares as difference_of_squares,
    exp_minus_exp as exp_minus_exp,
    hypot as hypot,
    log1mexp as log1mexp,
    log1p_odds_ratio as log1p_odds_ratio,
    log1p_odds_ratio_second_slope as log1p_odds_ratio_second_slope,
    log1p_odds_ratio_slope as log1p_odds_ratio_slope,
    log_cosh_difference as log_cosh_difference,
    log_odds as log_odds,
    log_softplus as log_softplus,
    pseudo_huber as pseudo_huber,
    scaled_softplus as scaled_softplus,
    sinh as sinh,
)
from lossary.functions.gains import (
    discount_distance as discount_distance,
    exp2_over as exp2_over,
    gain_difference_over as gain_difference_over,
    gain_over as gain_over,
)
from lossary.functions.gamma_function import (
    digamma as digamma,
    factorial_gap as factorial_gap,
    lgamma as lgamma,
    stirling_bend as stirling_bend,
    stirling_gap as stirling_gap,
    stirling_slope as stirling_slope,
    trigamma as trigamma,
)
from lossary.functions.gaps import (
    exp_gap as exp_gap,
    log1p_gap as log1p_gap,
    log_gap as log_gap,
)
from lossary.functions.general_robust import (
    general_robust as general_robust,
    general_robust_slope as general_robust_slope,
)
from lossary.functions.groups import (
    placed as placed,
)
from lossary.functions.likelihoods import (
    gumbel_nll as gumbel_nll,
    gumbel_nll_scale_slope as gumbel_nll_scale_slope,
    gumbel_nll_slope as gumbel_nll_slope,
    log_normal_nll as log_normal_nll,
    log_normal_nll_scale_slope as log_normal_nll_scale_slope,
    log_normal_nll_slope as log_normal_nll_slope,
    log_normal_nll_target_slope as log_normal_nll_target_slope,
    logistic_nll as logistic_nll,
    logistic_nll_scale_slope as logistic_nll_scale_slope,
    logistic_nll_slope as logistic_nll_slope,
    student_t_constant as student_t_constant,
    student_t_nll as student_t_nll,
    student_t_scale_slope as student_t_scale_slope,
    student_t_slope as student_t_slope,
)
from lossary.functions.mixtures import (
    log_inflated as log_inflated,
    log_mean_exp as log_mean_exp,
    log_mixture as log_mixture,
    weighted_logsumexp as weighted_logsumexp,
)
from lossary.functions.normal import (
    log1p_square_times_exp as log1p_square_times_exp,
    over_softplus as over_softplus,
    square_over_softplus as square_over_softplus,
    square_times_exp as square_times_exp,
    times_exp as times_exp,
)
from lossary.functions.ordered import (
    ALONG_AN_ORDER as ALONG_AN_ORDER,
    ORDERED as ORDERED,
    ORDERED_SLOPES as ORDERED_SLOPES,
    beyond as beyond,
    cumulate as cumulate,
    earlier_ties as earlier_ties,
    efron_excess as efron_excess,
    excess_from as excess_from,
    group_peak as group_peak,
    logsumexp_from as logsumexp_from,
    next_above as next_above,
    rank as rank,
    share_from as share_from,
    tied as tied,
)
from lossary.functions.pairs import (
    of_twins as of_twins,
    other as other,
    parts_of as parts_of,
    total_of_others as total_of_others,
)
from lossary.functions.quality import (
    sigmoid_quality_focal as sigmoid_quality_focal,
    sigmoid_quality_focal_slope as sigmoid_quality_focal_slope,
    sigmoid_quality_focal_target_slope as sigmoid_quality_focal_target_slope,
)
from lossary.functions.gamma_crps import (
    gamma_crps as gamma_crps,
    gamma_crps_rate_slope as gamma_crps_rate_slope,
    poisson_crps as poisson_crps,
    poisson_crps_slope as poisson_crps_slope,
)
from lossary.functions.incomplete_beta import (
    beta_density as beta_density,
    betainc as betainc,
)
from lossary.functions.student_t_crps import (
    student_t_crps as student_t_crps,
    student_t_crps_scale_slope as student_t_crps_scale_slope,
    student_t_crps_slope as student_t_crps_slope,
)
from lossary.functions.incomplete_gamma import (
    gamma_density as gamma_density,
    gammainc as gammainc,
    gammaincc as gammaincc,
)
from lossary.functions.log_normal_crps import (
    log_normal_crps as log_normal_crps,
    log_normal_crps_scale_slope as log_normal_crps_scale_slope,
    log_normal_crps_slope as log_normal_crps_slope,
    log_normal_crps_target_slope as log_normal_crps_target_slope,
)
from lossary.functions.ratios import (
    inverse_difference as inverse_difference,
    jeffreys_slope as jeffreys_slope,
    jeffreys_term as jeffreys_term,
    rate_divergence as rate_divergence,
    ratio_gap as ratio_gap,
    ratio_gap_slope as ratio_gap_slope,
    size_power as size_power,
    size_power_slope as size_power_slope,
    square_over as square_over,
)
from lossary.functions.rivals import (
    cross_entropy_of_any as cross_entropy_of_any,
    cross_entropy_of_each as cross_entropy_of_each,
    log1p_of_sums as log1p_of_sums,
    logsumexp_less_mean as logsumexp_less_mean,
    mean_cross_entropy_of as mean_cross_entropy_of,
    own_share_of_each as own_share_of_each,
    rival_share as rival_share,
    rival_share_of_each as rival_share_of_each,
    share_of_sums as share_of_sums,
    softmax_minus_mean_of as softmax_minus_mean_of,
)
from lossary.functions.robust import (
    biweight as biweight,
    excess as excess,
    fair_error as fair_error,
    fair_slope as fair_slope,
    log1p_square as log1p_square,
    log1p_square_slope as log1p_square_slope,
    one_minus_gaussian as one_minus_gaussian,
    one_minus_gaussian_slope as one_minus_gaussian_slope,
    square_share as square_share,
    square_share_slope as square_share_slope,
    symmetric_error as symmetric_error,
)
from lossary.functions.rotated import (
    hellinger_of as hellinger_of,
    normal_shape as normal_shape,
    normal_shift as normal_shift,
)
from lossary.functions.scores import (
    gamma_nll as gamma_nll,
    gamma_nll_slope as gamma_nll_slope,
    laplace_crps as laplace_crps,
    laplace_crps_scale_slope as laplace_crps_scale_slope,
    laplace_crps_slope as laplace_crps_slope,
    laplace_nll as laplace_nll,
    laplace_nll_scale_slope as laplace_nll_scale_slope,
    logistic_crps as logistic_crps,
    logistic_crps_scale_slope as logistic_crps_scale_slope,
    logistic_crps_slope as logistic_crps_slope,
    negative_binomial_nll as negative_binomial_nll,
    negative_binomial_nll_slope as negative_binomial_nll_slope,
    tweedie_nll as tweedie_nll,
    tweedie_nll_slope as tweedie_nll_slope,
    weighed_gaussian_nll as weighed_gaussian_nll,
)
from lossary.functions.softmax import (
    cross_entropy_at as cross_entropy_at,
    cross_entropy_share as cross_entropy_share,
    cross_entropy_with as cross_entropy_with,
    log1p_total_exp as log1p_total_exp,
    log_softmax as log_softmax,
    logsumexp as logsumexp,
    mean_cross_entropy as mean_cross_entropy,
    softmax as softmax,
    softmax_beside_one as softmax_beside_one,
    softmax_complement as softmax_complement,
    softmax_complement_power_at as softmax_complement_power_at,
    softmax_error_rate as softmax_error_rate,
    softmax_focal as softmax_focal,
    softmax_minus as softmax_minus,
    softmax_minus_one_hot as softmax_minus_one_hot,
    softmax_minus_uniform as softmax_minus_uniform,
)
from lossary.functions.sparse import (
    entmax_loss_at as entmax_loss_at,
    entmax_root as entmax_root,
    sparsemax as sparsemax,
    sparsemax_loss_at as sparsemax_loss_at,
)
from lossary.functions.tempered import (
    SOLVED as SOLVED,
    bi_tempered_at as bi_tempered_at,
    bi_tempered_slope as bi_tempered_slope,
    tempered_normalizer as tempered_normalizer,
    tempered_softmax as tempered_softmax,
    tsallis_loss_at as tsallis_loss_at,
)
from lossary.functions.triangles import (
    bisector as bisector,
    gromov_product as gromov_product,
    turn as turn,
)
from lossary.functions.two_sides import (
    log_cloglog as log_cloglog,
    log_part as log_part,
    sigmoid_difference as sigmoid_difference,
    sigmoid_divergence as sigmoid_divergence,
)
from lossary.functions.variogram import (
    distance_power_slope as distance_power_slope,
    variogram_excess as variogram_excess,
    variogram_gap as variogram_gap,
)
from lossary.functions.vectors import (
    centred as centred,
    common_scale as common_scale,
    cosine as cosine,
    cosine_gap as cosine_gap,
    cosine_slope as cosine_slope,
    distance_difference as distance_difference,
    length_ratio as length_ratio,
    log_length_over as log_length_over,
    log_length_ratio as log_length_ratio,
    norm as norm,
    squared_deviations as squared_deviations,
    squared_length_ratio as squared_length_ratio,
    tanimoto_gap as tanimoto_gap,
    tanimoto_slope as tanimoto_slope,
    unit as unit,
    unit_rejection as unit_rejection,
)
from lossary.functions.vocabulary import (
    FUNCTIONS as FUNCTIONS,
    Function as Function,
    Jacobian as Jacobian,
    NoSlope as NoSlope,
    PRIMITIVES as PRIMITIVES,
    Slope as Slope,
    absolute as absolute,
    argpeak as argpeak,
    class_count as class_count,
    class_index as class_index,
    cos as cos,
    exp as exp,
    expm1 as expm1,
    floor as floor,
    held as held,
    is_class as is_class,
    log as log,
    log1p as log1p,
    maximum as maximum,
    minimum as minimum,
    peak as peak,
    pi as pi,
    pick as pick,
    sign as sign,
    sin as sin,
    sqrt as sqrt,
    tanh as tanh,
    total as total,
    weighted as weighted,
    where as where,
)
