// Random numbers that can be had again: a failing property test prints the seed that repeats it.

private import Glibc

/// SplitMix64: small, fast, and the same numbers for the same seed on every machine.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    package let seed: UInt64
    private var state: UInt64

    package init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// A new seed for each run, or the one in `MARTLET_SEED`; prints it under the test's name.
    package init(for test: String = #function) {
        let given = getenv("MARTLET_SEED").flatMap { UInt64(String(cString: $0)) }
        self.init(seed: given ?? UInt64.random(in: 0 ... .max))
        print("\(test): MARTLET_SEED=\(seed)")
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// `count` bytes drawn from `alphabet`; a small alphabet meets the interesting sequences sooner.
    package mutating func bytes(_ count: Int, from alphabet: [UInt8]) -> [UInt8] {
        (0..<count).compactMap { _ in alphabet.randomElement(using: &self) }
    }
}
