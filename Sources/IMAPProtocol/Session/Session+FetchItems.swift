// The items of one FETCH response (RFC 3501 §7.4.2), in the order in which they were asked.

internal import MailFormat
internal import MailModel

extension Session {
    /// Prints one item, or asks for the bytes that it needs first; steps on when it is printed.
    mutating func printItem(_ item: FetchItem, of current: inout FetchRun.Current, _ message: MessageDescription) {
        if let section = item.bytes {
            guard printSection(section, item, of: &current, message) else { return }
        } else {
            separate(current)
            printAttribute(item, of: current, message)
        }
        current.position += 1
        current.innerHeader = nil
    }

    private mutating func separate(_ current: FetchRun.Current) {
        if current.position > 0 { output.raw(" ") }
    }

    mutating func printFlags(of current: FetchRun.Current) {
        guard let flags = selected?.messages[current.place].flags else { return }
        output.raw("FLAGS ")
        output.flags(flags)
        selected?.flagsTold(of: current.uid)
    }

    private mutating func printAttribute(_ item: FetchItem, of current: FetchRun.Current, _ message: MessageDescription) {
        switch item {
        case .uid:
            output.raw("UID ")
            output.number(current.uid.value)
        case .size:
            output.raw("RFC822.SIZE ")
            output.number(message.size)
        case .internalDate:
            output.raw("INTERNALDATE \"")
            output.raw((message.internalDate ?? InternalDate(seconds: 0)).text)
            output.raw("\"")
        case .envelope:
            output.raw("ENVELOPE ")
            output.envelope(message.structure?.root.envelope)
        case .body:
            output.raw("BODY ")
            output.bodyStructure(message.structure, isExtended: false)
        case .bodyStructure:
            output.raw("BODYSTRUCTURE ")
            output.bodyStructure(message.structure, isExtended: true)
        case .flags: printFlags(of: current)
        case .section, .rfc822, .rfc822Header, .rfc822Text: break
        }
    }

    /// False if the store has to be asked first.
    private mutating func printSection(
        _ section: FetchItem.Section, _ item: FetchItem, of current: inout FetchRun.Current, _ message: MessageDescription
    ) -> Bool {
        guard let whole = section.specifier.range(in: message) else {
            separate(current)
            printLabel(of: item)
            output.raw(" NIL")
            return true
        }
        if let selection = section.specifier.fieldSelection {
            return printFields(selection, from: whole, section, item, of: current, message)
        }
        let range = section.partial?.applied(to: whole) ?? whole
        separate(current)
        printLabel(of: item)
        output.raw(" ")
        output.literalHeader(range.count)
        if let bytes = message.bytes(range) { output.raw(bytes) } else { current.literal = range }
        return true
    }

    private mutating func printFields(
        _ selection: FieldSelection, from header: Range<Int>, _ section: FetchItem.Section, _ item: FetchItem,
        of current: FetchRun.Current, _ message: MessageDescription
    ) -> Bool {
        let range = header.lowerBound..<min(header.upperBound, header.lowerBound + MessageDescription.headerLimit)
        guard let source = message.bytes(range).map(Array.init) ?? current.innerHeader else {
            ask(.read(current.uid, range))
            return false
        }
        let fields = selection.fields(of: source)
        let part = section.partial?.applied(to: 0..<fields.count) ?? 0..<fields.count
        separate(current)
        printLabel(of: item)
        output.raw(" ")
        output.literalHeader(part.count)
        output.raw(fields[part])
        return true
    }

    private mutating func printLabel(of item: FetchItem) {
        switch item {
        case .section(let section): output.section(section)
        case .rfc822: output.raw("RFC822")
        case .rfc822Header: output.raw("RFC822.HEADER")
        case .rfc822Text: output.raw("RFC822.TEXT")
        case .flags, .uid, .internalDate, .size, .envelope, .body, .bodyStructure: break
        }
    }
}
