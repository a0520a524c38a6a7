// BODY and BODYSTRUCTURE (RFC 3501 §7.4.2), printed with a stack of our own: a message's nesting cannot exhaust ours.

internal import MailFormat
internal import MailModel

extension ResponsePrinter {
    private enum Work {
        case part(Int)
        /// What follows the children of a multipart.
        case multipartEnd(Int)
        /// What follows the message inside a part.
        case messageEnd(Int)
    }

    mutating func bodyStructure(_ structure: MIMEStructure?, isExtended: Bool) {
        guard let structure else { return raw("NIL") }
        var work: [Work] = [.part(0)]
        while let next = work.popLast() {
            switch next {
            case .part(let index):
                let part = structure.parts[index]
                raw("(")
                if !part.children.isEmpty, part.kind == .multipart {
                    work.append(.multipartEnd(index))
                    work += part.children.reversed().map { .part($0) }
                } else if part.kind == .message, let child = part.children.first {
                    basicFields(of: part, part.contentType.type, part.contentType.subtype)
                    raw(" ")
                    envelope(structure.parts[child].envelope)
                    raw(" ")
                    work += [.messageEnd(index), .part(child)]
                } else {
                    leaf(part, isExtended: isExtended)
                }
            case .multipartEnd(let index): multipartEnd(structure.parts[index], isExtended: isExtended)
            case .messageEnd(let index):
                raw(" ")
                number(structure.parts[index].lineCount)
                if isExtended { extensions(of: structure.parts[index]) }
                raw(")")
            }
        }
    }

    /// A part without parts. A multipart without any is shown with one empty part: the grammar wants at least one.
    private mutating func leaf(_ part: MIMEPart, isExtended: Bool) {
        if part.kind == .multipart {
            raw("(\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0)")
            return multipartEnd(part, isExtended: isExtended)
        }
        // Nested too deeply to be opened: it must not promise fields that it does not have.
        if part.contentType.isMessage || part.contentType.isMultipart {
            basicFields(of: part, Array("application".utf8), Array("octet-stream".utf8))
        } else {
            basicFields(of: part, part.contentType.type, part.contentType.subtype)
        }
        if part.contentType.isText {
            raw(" ")
            number(part.lineCount)
        }
        if isExtended { extensions(of: part) }
        raw(")")
    }

    /// `body-fields` behind type and subtype.
    private mutating func basicFields(of part: MIMEPart, _ type: [UInt8], _ subtype: [UInt8]) {
        string(type)
        raw(" ")
        string(subtype)
        raw(" ")
        parameters(part.contentType.parameters)
        raw(" ")
        nstring(part.id)
        raw(" ")
        nstring(part.description)
        raw(" ")
        string(part.transferEncoding)
        raw(" ")
        number(part.body.count)
    }

    private mutating func multipartEnd(_ part: MIMEPart, isExtended: Bool) {
        raw(" ")
        string(part.contentType.subtype)
        if isExtended {
            raw(" ")
            parameters(part.contentType.parameters)
            commonExtensions(of: part)
        }
        raw(")")
    }

    /// `body-ext-1part`.
    private mutating func extensions(of part: MIMEPart) {
        raw(" ")
        nstring(part.md5)
        commonExtensions(of: part)
    }

    private mutating func commonExtensions(of part: MIMEPart) {
        raw(" ")
        if let disposition = part.disposition {
            raw("(")
            string(disposition.type)
            raw(" ")
            parameters(disposition.parameters)
            raw(")")
        } else {
            raw("NIL")
        }
        raw(" ")
        languages(part.languages)
        raw(" ")
        nstring(part.location)
    }

    private mutating func languages(_ tags: [[UInt8]]) {
        guard tags.count > 1 else { return nstring(tags.first) }
        for (index, tag) in tags.enumerated() {
            raw(index == 0 ? "(" : " ")
            string(tag)
        }
        raw(")")
    }

    private mutating func parameters(_ list: ParameterList) {
        guard !list.parameters.isEmpty else { return raw("NIL") }
        for (index, parameter) in list.parameters.enumerated() {
            raw(index == 0 ? "(" : " ")
            string(parameter.name)
            raw(" ")
            string(parameter.value)
        }
        raw(")")
    }
}
