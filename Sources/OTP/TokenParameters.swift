// What a token's OTPs are made with, besides the seed: RFC 4226 §5.3 and RFC 6238 §4.1.

/// The public parameters of a token.
package struct TokenParameters: Equatable, Sendable {
    package var algorithm: HashAlgorithm
    package var digits: DigitCount
    package var factor: MovingFactor

    package init(algorithm: HashAlgorithm, digits: DigitCount, factor: MovingFactor) {
        self.algorithm = algorithm
        self.digits = digits
        self.factor = factor
    }
}
