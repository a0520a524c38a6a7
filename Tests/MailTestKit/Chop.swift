// Chop invariance: a machine that reads a stream gives the same result wherever the network cut the stream.

/// Feeds one input in many choppings and compares what comes out.
package enum Chop {
    /// nil if every chopping gives what the whole input gives; else which one differs, and how.
    ///
    /// Tries the input whole, byte by byte, in two at each place (at most `places` of them, spread evenly),
    /// and in random pieces of the given seed.
    package static func difference<Output: Equatable>(
        _ input: [UInt8], places: Int = 4096, seed: UInt64 = 1, run: ([ArraySlice<UInt8>]) throws -> Output
    ) rethrows -> String? {
        let whole = try run([input[...]])
        for (name, pieces) in choppings(of: input, places: places, seed: seed) {
            let chopped = try run(pieces)
            if chopped != whole { return "\(name): \(chopped)\ninstead of, whole: \(whole)" }
        }
        return nil
    }

    private static func choppings(
        of input: [UInt8], places: Int, seed: UInt64
    ) -> some Sequence<(String, [ArraySlice<UInt8>])> {
        let step = max(1, (input.count + places - 1) / max(1, places))
        let splits = stride(from: 1, to: max(1, input.count), by: step).lazy.map { at in
            ("split at \(at)", [input[..<at], input[at...]])
        }
        let single = ("byte by byte", input.indices.map { input[$0...$0] })
        let random = (0..<4).lazy.map { round in
            ("random pieces, seed \(seed &+ round)", randomPieces(of: input, seed: seed &+ round))
        }
        return [AnySequence([single]), AnySequence(splits), AnySequence(random)].joined()
    }

    /// Pieces of 0 to 16 bytes: an empty read must change nothing either.
    private static func randomPieces(of input: [UInt8], seed: UInt64) -> [ArraySlice<UInt8>] {
        var generator = SeededGenerator(seed: seed)
        var pieces: [ArraySlice<UInt8>] = []
        var at = 0
        while at < input.count {
            let end = min(input.count, at + Int.random(in: 0...16, using: &generator))
            pieces.append(input[at..<end])
            at = end
        }
        return pieces
    }
}
