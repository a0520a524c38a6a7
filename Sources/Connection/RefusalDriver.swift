// A connection over the limit: one line, then the end.

/// Says why and closes; never reads.
final class RefusalDriver: SessionDriver {
    typealias Answer = Never
    private let line: [UInt8]

    init(_ line: [UInt8]) { self.line = line }

    var wantsInput: Bool { false }
    func opened(_ wire: Wire<Never>) {
        wire.send(line)
        wire.close()
    }
    func received(_ bytes: ArraySlice<UInt8>) {}
    func step(_ wire: Wire<Never>) -> Bool { false }
    func deadlinePassed() {}
    func shutdownRequested() {}
}
