using static TorchSharp.Libtorch;

namespace TorchSharp;

public static partial class torch
{
    public enum RoundingMode
    {
        None,
        trunc,
        floor,
    }

    public partial class Tensor
    {
        public Tensor abs() => Call("abs", this);
        public Tensor neg() => Call("neg", this);
        public Tensor negative() => Call("neg", this);
        public Tensor exp() => Call("exp", this);
        public Tensor exp2() => Call("exp2", this);
        public Tensor expm1() => Call("expm1", this);
        public Tensor log() => Call("log", this);
        public Tensor log2() => Call("log2", this);
        public Tensor log10() => Call("log10", this);
        public Tensor log1p() => Call("log1p", this);
        public Tensor sqrt() => Call("sqrt", this);
        public Tensor rsqrt() => Call("rsqrt", this);
        public Tensor square() => Call("square", this);
        public Tensor reciprocal() => Call("reciprocal", this);
        public Tensor sin() => Call("sin", this);
        public Tensor cos() => Call("cos", this);
        public Tensor tan() => Call("tan", this);
        public Tensor atan() => Call("atan", this);
        public Tensor tanh() => Call("tanh", this);
        public Tensor erf() => Call("erf", this);
        public Tensor erfinv() => Call("erfinv", this);
        public Tensor sigmoid() => Call("sigmoid", this);
        public Tensor sign() => Call("sign", this);
        public Tensor floor() => Call("floor", this);
        public Tensor ceil() => Call("ceil", this);
        public Tensor trunc() => Call("trunc", this);
        public Tensor frac() => Call("frac", this);
        public Tensor round(long decimals = 0) => Call("round.decimals", this, decimals);
        public Tensor relu() => Call("relu", this);
        public Tensor silu() => Call("silu", this);
        public Tensor gelu() => Call("gelu", this);
        public Tensor gelu(Modules.GELU.Approximate approximate) => Call("gelu", this, approximate.ToString());
        public Tensor softplus(double beta = 1, double threshold = 20) => Call("softplus", this, beta, threshold);
        public Tensor log_sigmoid() => Call("log_sigmoid", this);
        public Tensor elu(double alpha = 1) => Call("elu", this, alpha);
        public Tensor leaky_relu(Scalar negative_slope) => Call("leaky_relu", this, negative_slope);
        public Tensor logit(double? eps = null) => Call("logit", this, eps);
        public Tensor nan_to_num(double nan = 0, double? posinf = null, double? neginf = null) => Call("nan_to_num", this, nan, posinf, neginf);

        public Tensor abs_() => InPlace("abs_", this);
        public Tensor neg_() => InPlace("neg_", this);
        public Tensor exp_() => InPlace("exp_", this);
        public Tensor log_() => InPlace("log_", this);
        public Tensor sqrt_() => InPlace("sqrt_", this);
        public Tensor rsqrt_() => InPlace("rsqrt_", this);
        public Tensor reciprocal_() => InPlace("reciprocal_", this);
        public Tensor sigmoid_() => InPlace("sigmoid_", this);
        public Tensor tanh_() => InPlace("tanh_", this);
        public Tensor relu_() => InPlace("relu_", this);
        public Tensor silu_() => InPlace("silu_", this);
        public Tensor floor_() => InPlace("floor_", this);
        public Tensor round_(long decimals = 0) => InPlace("round_.decimals", this, decimals);

        public Tensor add(Tensor target) => Call("add.Tensor", this, target);
        public Tensor add(Tensor target, Scalar alpha) => Call("add.Tensor", this, target, alpha);
        public Tensor add(Scalar scalar) => Call("add.Scalar", this, scalar);
        public Tensor add(Scalar scalar, Scalar alpha) => Call("add.Scalar", this, scalar, alpha);
        public Tensor sub(Tensor target) => Call("sub.Tensor", this, target);
        public Tensor sub(Scalar target) => Call("sub.Scalar", this, target);
        public Tensor subtract(Tensor target) => sub(target);
        public Tensor subtract(Scalar target) => sub(target);
        public Tensor mul(Tensor target) => Call("mul.Tensor", this, target);
        public Tensor mul(Scalar target) => Call("mul.Scalar", this, target);
        public Tensor multiply(Tensor target) => mul(target);
        public Tensor multiply(Scalar target) => mul(target);
        public Tensor div(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => Call("div.Tensor_mode", this, target, Mode(rounding_mode));
        public Tensor div(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => Call("div.Scalar_mode", this, target, Mode(rounding_mode));
        public Tensor divide(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => div(target, rounding_mode);
        public Tensor divide(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => div(target, rounding_mode);
        public Tensor true_divide(Tensor other) => div(other);
        public Tensor true_divide(Scalar other) => div(other);
        public Tensor floor_divide(Tensor other) => div(other, RoundingMode.floor);
        public Tensor floor_divide(Scalar other) => div(other, RoundingMode.floor);
        public Tensor remainder(Tensor target) => Call("remainder.Tensor", this, target);
        public Tensor remainder(Scalar scalar) => Call("remainder.Scalar", this, scalar);
        public Tensor fmod(Tensor target) => Call("fmod.Tensor", this, target);
        public Tensor fmod(Scalar scalar) => Call("fmod.Scalar", this, scalar);
        public Tensor pow(Tensor exponent) => Call("pow.Tensor_Tensor", this, exponent);
        public Tensor pow(Scalar exponent) => Call("pow.Tensor_Scalar", this, exponent);
        public Tensor maximum(Tensor other) => Call("maximum", this, other);
        public Tensor minimum(Tensor other) => Call("minimum", this, other);
        public Tensor atan2(Tensor other) => Call("atan2", this, other);
        public Tensor logaddexp(Tensor other) => Call("logaddexp", this, other);
        public Tensor xlogy(Tensor y) => Call("xlogy.Tensor", this, y);
        public Tensor lerp(Tensor end, Tensor weight) => Call("lerp.Tensor", this, end, weight);
        public Tensor addcmul(Tensor tensor1, Tensor tensor2, Scalar value) => Call("addcmul", this, tensor1, tensor2, value);
        public Tensor addcdiv(Tensor tensor1, Tensor tensor2) => Call("addcdiv", this, tensor1, tensor2);
        public Tensor addcdiv(Tensor tensor1, Tensor tensor2, Scalar value) => Call("addcdiv", this, tensor1, tensor2, value);

        public Tensor add_(Tensor target) => InPlace("add_.Tensor", this, target);
        public Tensor add_(Tensor target, Scalar alpha) => InPlace("add_.Tensor", this, target, alpha);
        public Tensor add_(Scalar scalar) => InPlace("add_.Scalar", this, scalar);
        public Tensor add_(Scalar scalar, Scalar alpha) => InPlace("add_.Scalar", this, scalar, alpha);
        public Tensor sub_(Tensor target) => InPlace("sub_.Tensor", this, target);
        public Tensor sub_(Scalar target) => InPlace("sub_.Scalar", this, target);
        public Tensor mul_(Tensor target) => InPlace("mul_.Tensor", this, target);
        public Tensor mul_(Scalar target) => InPlace("mul_.Scalar", this, target);
        public Tensor div_(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => InPlace("div_.Tensor_mode", this, target, Mode(rounding_mode));
        public Tensor div_(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => InPlace("div_.Scalar_mode", this, target, Mode(rounding_mode));
        public Tensor pow_(Tensor exponent) => InPlace("pow_.Tensor", this, exponent);
        public Tensor pow_(Scalar exponent) => InPlace("pow_.Scalar", this, exponent);
        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar value) => InPlace("addcmul_", this, tensor1, tensor2, value);
        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2) => InPlace("addcdiv_", this, tensor1, tensor2);
        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar value) => InPlace("addcdiv_", this, tensor1, tensor2, value);
        public Tensor lerp_(Tensor end, Tensor weight) => InPlace("lerp_.Tensor", this, end, weight);

        public Tensor clamp(Scalar? min = null, Scalar? max = null) => Call("clamp", this, min, max);
        public Tensor clamp(Tensor? min = null, Tensor? max = null) => Call("clamp.Tensor", this, min, max);
        public Tensor clip(Scalar? min = null, Scalar? max = null) => clamp(min, max);
        public Tensor clamp_min(Scalar min) => Call("clamp_min", this, min);
        public Tensor clamp_max(Scalar max) => Call("clamp_max", this, max);
        public Tensor clamp_(Scalar? min = null, Scalar? max = null) => InPlace("clamp_", this, min, max);
        public Tensor clamp_(Tensor? min = null, Tensor? max = null) => InPlace("clamp_.Tensor", this, min, max);
        public Tensor clamp_min_(Scalar min) => InPlace("clamp_min_", this, min);
        public Tensor clamp_max_(Scalar max) => InPlace("clamp_max_", this, max);

        public Tensor softmax(long dim, ScalarType? dtype = null) => Call("softmax.int", this, dim, dtype);
        public Tensor log_softmax(long dim, ScalarType? dtype = null) => Call("log_softmax.int", this, dim, dtype);

        private static Arg Mode(RoundingMode mode) => mode == RoundingMode.None ? Arg.None : mode.ToString();
    }
}
