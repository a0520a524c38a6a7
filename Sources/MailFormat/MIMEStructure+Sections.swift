// Section numbers of IMAP (RFC 9051 §6.4.5.1), resolved to parts and byte ranges.

extension MIMEStructure {
    /// What of a part a section asks for.
    package enum SectionText: Hashable, Sendable {
        /// The body of the part; for the empty path the whole message.
        case whole
        /// The header of the message: of the whole one, or of the one inside a `message/rfc822` part.
        case header
        /// The body of that message.
        case text
        /// The part's own MIME header; only with a path.
        case mime
    }

    /// The part that a path such as `[1, 2]` names; nil if there is none. The empty path is the whole message.
    ///
    /// A message that is no multipart has its body as part 1. Numbers go through `message/rfc822` without
    /// counting it twice: the parts of the message inside are numbered below the part that holds it.
    package func part(at path: [Int]) -> Int? {
        guard path.count <= 2 * MIMEStructure.maximumDepth else { return nil }
        var index = 0
        var isMessageRoot = true
        for number in path {
            guard number >= 1 else { return nil }
            if !isMessageRoot, parts[index].kind == .message, let inner = parts[index].children.first {
                index = inner
                isMessageRoot = true
            }
            if parts[index].kind == .multipart, !parts[index].children.isEmpty {
                guard number <= parts[index].children.count else { return nil }
                index = parts[index].children[number - 1]
            } else {
                guard isMessageRoot, number == 1 else { return nil }
            }
            isMessageRoot = false
        }
        return index
    }

    /// The bytes of a section; nil if the part does not exist or has no such text.
    package func range(of path: [Int], _ text: SectionText) -> Range<Int>? {
        guard let index = part(at: path) else { return nil }
        let part = parts[index]
        switch text {
        case .whole: return path.isEmpty ? part.header.lowerBound..<part.body.upperBound : part.body
        case .mime: return path.isEmpty ? nil : part.header
        case .header: return message(at: index, path)?.header
        case .text: return message(at: index, path)?.body
        }
    }

    /// The message that HEADER and TEXT of a path speak of, with its own envelope; nil if the part holds none.
    package func message(at path: [Int]) -> MIMEPart? { part(at: path).flatMap { message(at: $0, path) } }

    private func message(at index: Int, _ path: [Int]) -> MIMEPart? {
        if path.isEmpty { return parts[index] }
        guard parts[index].kind == .message, let inner = parts[index].children.first else { return nil }
        return parts[inner]
    }
}
