// What stands above 127 in a message, part by part: whether it can be said in 7 bits, and how.

/// Why a message cannot be said in 7 bits without changing what it says.
package enum ConversionObstacle: Hashable, Sendable {
    /// A header line holds bytes above 127, which have no meaning outside SMTPUTF8.
    case header
    /// What is signed may not be changed (RFC 1847 §2.1).
    case signed
    /// A part names an encoding and does not keep to it, or may not be encoded, or lies too deep.
    case structure

    package var words: String {
        switch self {
        case .header: "its header holds letters beyond ASCII that nothing explains"
        case .signed: "it is signed, and a change would break the signature"
        case .structure: "a part of it may not be encoded anew"
        }
    }
}

/// How each part is to be written, in the order of the parts.
package struct SevenBitPlan: Hashable, Sendable {
    enum Form: UInt8, Sendable { case asItIs, quotedPrintable, base64 }
    var forms: [Form] = []
}

/// One pass over a message, in pieces of any size.
package struct EightBitSurvey: Sendable {
    private var walker = PartWalker()
    private var ledger = Ledger()

    package init() {}

    package mutating func append(_ bytes: ArraySlice<UInt8>) { walker.append(bytes, to: &ledger) }

    /// The end of the message: its plan, or what stands in the way.
    package mutating func finish() -> Result<SevenBitPlan, ConversionError> {
        walker.finish(to: &ledger)
        if ledger.hasEightBitHeader { return .failure(ConversionError(obstacle: .header)) }
        if walker.isBeyondBounds { return .failure(ConversionError(obstacle: .structure)) }
        if let obstacle = ledger.obstacle { return .failure(ConversionError(obstacle: obstacle)) }
        return .success(ledger.plan)
    }

    /// Whether every header of the message and of its parts is ASCII; asked after `finish()`.
    package var isHeaderASCII: Bool { !ledger.hasEightBitHeader }
}

/// A message that has no form in 7 bits.
package struct ConversionError: Error, Hashable {
    package let obstacle: ConversionObstacle
}

/// What was found.
private struct Ledger: PartSink, Sendable {
    var plan = SevenBitPlan()
    var hasEightBitHeader = false
    private(set) var obstacle: ConversionObstacle?
    private var eightBit = 0
    private var octets = 0
    /// What is in the way if this leaf is not ASCII.
    private var ifEightBit: ConversionObstacle?

    mutating func header(_ bytes: [UInt8], _ end: [UInt8], _ part: PartOpening) {
        if bytes.contains(where: { $0 > 0x7F }) { hasEightBitHeader = true }
        eightBit = 0
        octets = 0
        ifEightBit = part.isSigned ? .signed : part.isFixed || part.encoding != .identity ? .structure : nil
        if plan.forms.count <= PartWalker.mostParts { plan.forms.append(.asItIs) }
    }

    mutating func body(_ piece: ArraySlice<UInt8>) {
        octets += piece.count
        for byte in piece where byte > 0x7F { eightBit += 1 }
    }

    mutating func endBody(_ lineEnd: [UInt8]) {
        guard eightBit > 0 else { return }
        if let ifEightBit { obstacle = obstacle ?? ifEightBit }
        // An octet takes 3 in the one form and 4/3 in the other.
        plan.forms[plan.forms.count - 1] = eightBit * 5 > octets ? .base64 : .quotedPrintable
    }

    mutating func between(_ bytes: ArraySlice<UInt8>, isSigned: Bool) {
        if isSigned, obstacle == nil, bytes.contains(where: { $0 > 0x7F }) { obstacle = .signed }
    }
}
