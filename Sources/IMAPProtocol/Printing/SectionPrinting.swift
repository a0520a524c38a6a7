// A section's name in an answer (RFC 3501 §7.4.2): as asked, the range by its origin alone, and never `.PEEK`.

extension ResponsePrinter {
    mutating func section(_ section: FetchItem.Section) {
        raw("BODY[")
        for (index, number) in section.specifier.part.enumerated() {
            if index > 0 { raw(".") }
            self.number(number)
        }
        if !section.specifier.part.isEmpty, section.specifier.text != .all { raw(".") }
        switch section.specifier.text {
        case .all: break
        case .header: raw("HEADER")
        case .text: raw("TEXT")
        case .mime: raw("MIME")
        case .headerFields(let names): fieldNames("HEADER.FIELDS (", names)
        case .headerFieldsNot(let names): fieldNames("HEADER.FIELDS.NOT (", names)
        }
        raw("]")
        guard let partial = section.partial else { return }
        raw("<")
        number(partial.origin)
        raw(">")
    }

    private mutating func fieldNames(_ label: StaticString, _ names: [[UInt8]]) {
        raw(label)
        for (index, name) in names.enumerated() {
            if index > 0 { raw(" ") }
            astring(name)
        }
        raw(")")
    }
}
