// The grammar of records (RFC 7208 §12). One wrong term makes the whole record wrong, wherever it stands (§4.6).

internal import MailModel

/// A syntax error, and the term that has it.
struct SPFRecordError: Error, Hashable {
    let problem: SPFSyntaxError
    let term: [UInt8]
}

extension SPFRecord {
    /// A text for which `isPolicy` holds.
    init(parsing text: [UInt8], limit: Int) throws(SPFRecordError) {
        guard text.count <= limit else { throw SPFRecordError(problem: .tooLong, term: []) }
        var directives: [SPFDirective] = []
        var redirect: SPFMacro?
        var explanation: SPFMacro?
        for term in text.dropFirst(6).split(separator: 0x20) {
            do throws(SPFSyntaxError) {
                guard let equals = SPFRecord.modifierEnd(term) else {
                    directives.append(try SPFDirective(parsing: term))
                    continue
                }
                let name = term[..<equals]
                let value = term[(equals + 1)...]
                if name.equalsIgnoringASCIICase("redirect") {
                    guard redirect == nil else { throw .repeated }
                    redirect = try SPFMacro(domain: value)
                } else if name.equalsIgnoringASCIICase("exp") {
                    guard explanation == nil else { throw .repeated }
                    explanation = try SPFMacro(domain: value)
                } else {
                    try SPFRecord.checkUnknown(name, value)
                }
            } catch {
                throw SPFRecordError(problem: error, term: Array(term))
            }
        }
        self.init(directives: directives, redirect: redirect, explanation: explanation)
    }

    /// Where the `=` of a modifier stands; nil if an argument begins before it, as in `exists:%{l=}.x.org`.
    private static func modifierEnd(_ term: ArraySlice<UInt8>) -> Int? {
        let mark = term.firstIndex { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "/") }
        return mark.flatMap { term[$0] == UInt8(ascii: "=") ? $0 : nil }
    }

    /// RFC 7208 §6: ignored, but only if it is well formed.
    private static func checkUnknown(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) throws(SPFSyntaxError) {
        guard name.first?.isASCIILetter ?? false,
            name.allSatisfy({ $0.isASCIILetter || $0.isASCIIDigit || "-_.".utf8.contains($0) })
        else { throw .modifier }
        _ = try SPFMacro(value: value)
    }
}

extension SPFDirective {
    init(parsing term: ArraySlice<UInt8>) throws(SPFSyntaxError) {
        var rest = term
        var result = SPFResult.pass
        switch rest.first {
        case UInt8(ascii: "+"): rest.removeFirst()
        case UInt8(ascii: "-"): (result, rest) = (.fail, rest.dropFirst())
        case UInt8(ascii: "~"): (result, rest) = (.softfail, rest.dropFirst())
        case UInt8(ascii: "?"): (result, rest) = (.neutral, rest.dropFirst())
        default: break
        }
        let end = rest.firstIndex { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "/") } ?? rest.endIndex
        self.init(result: result, mechanism: try SPFMechanism(name: rest[..<end], argument: rest[end...]), text: Array(term))
    }
}

extension SPFMechanism {
    /// `argument` begins with its colon or slash, or is empty.
    init(name: ArraySlice<UInt8>, argument: ArraySlice<UInt8>) throws(SPFSyntaxError) {
        switch String(decoding: name.prefix(8).asciiLowercased, as: UTF8.self) {
        case "all":
            guard argument.isEmpty else { throw .argument }
            self = .all
        case "include": self = .include(try SPFMechanism.domain(argument))
        case "exists": self = .exists(try SPFMechanism.domain(argument))
        case "ptr": self = .pointer(argument.isEmpty ? nil : try SPFMechanism.domain(argument))
        case "a":
            let (domain, prefixes) = try SPFMechanism.target(argument)
            self = .address(domain, prefixes)
        case "mx":
            let (domain, prefixes) = try SPFMechanism.target(argument)
            self = .exchangers(domain, prefixes)
        case "ip4": self = .network(try SPFMechanism.network(argument, .four))
        case "ip6": self = .network(try SPFMechanism.network(argument, .six))
        default: throw .mechanism
        }
    }

    private static func domain(_ argument: ArraySlice<UInt8>) throws(SPFSyntaxError) -> SPFMacro {
        guard argument.first == UInt8(ascii: ":") else { throw .argument }
        return try SPFMacro(domain: argument.dropFirst())
    }

    /// `[ ":" domain-spec ] [ dual-cidr-length ]`.
    private static func target(_ argument: ArraySlice<UInt8>) throws(SPFSyntaxError) -> (SPFMacro?, SPFPrefixes) {
        var rest = argument
        var prefixes = SPFPrefixes()
        // A domain may have slashes, but never ends in one and digits.
        if let six = try length(&rest, slashes: 2, limit: 128) { prefixes.six = six }
        if let four = try length(&rest, slashes: 1, limit: 32) { prefixes.four = four }
        return (rest.isEmpty ? nil : try domain(rest), prefixes)
    }

    /// Takes `/digits` or `//digits` from the end of the text, if that is what stands there.
    private static func length(_ text: inout ArraySlice<UInt8>, slashes: Int, limit: Int) throws(SPFSyntaxError) -> Int? {
        guard let slash = text.lastIndex(of: UInt8(ascii: "/")), slash + 1 < text.endIndex,
            text[(slash + 1)...].allSatisfy(\.isASCIIDigit)
        else { return nil }
        let isDouble = slash > text.startIndex && text[slash - 1] == UInt8(ascii: "/")
        guard isDouble == (slashes == 2) else { return nil }
        guard let value = IPNetwork.length(text[(slash + 1)...]), value <= limit else { throw .argument }
        text = text[..<(slash + 1 - slashes)]
        return value
    }

    private static func network(_ argument: ArraySlice<UInt8>, _ family: IPAddress.Family) throws(SPFSyntaxError) -> IPNetwork {
        guard argument.first == UInt8(ascii: ":") else { throw .argument }
        let parts = argument.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first, let address = IPAddress(parsing: first), address.family == family
        else { throw .argument }
        guard parts.count == 2 else { return IPNetwork(address, length: address.width) }
        guard let length = IPNetwork.length(parts[1]), length <= address.width else { throw .argument }
        return IPNetwork(address, length: length)
    }
}
