// `search` (RFC 3501 §9), read with a stack of our own: nesting costs a few bytes and ends at a bound.

internal import MailModel

extension SearchProgram {
    /// Everything after `SEARCH `.
    init(parsing cursor: inout CommandCursor) throws(CommandFailure) {
        if cursor.takeWord("CHARSET") {
            try cursor.space()
            let charset = try cursor.astring()
            guard charset.equalsIgnoringASCIICase("US-ASCII") || charset.equalsIgnoringASCIICase("UTF-8")
            else { throw .charset }
            try cursor.space()
        }
        var builder = SearchProgramBuilder()
        while try !builder.readKey(&cursor) {}
        self.init(steps: builder.steps)
    }
}

/// The operators that still wait for operands, and the steps so far.
private struct SearchProgramBuilder {
    private enum Open {
        case list(count: Int, isParenthesized: Bool)
        case not
        case or(count: Int)
    }

    var steps: [SearchProgram.Step] = []
    private var open: [Open] = [.list(count: 0, isParenthesized: false)]

    /// Reads one key, or opens an operator; true when the program is complete.
    mutating func readKey(_ cursor: inout CommandCursor) throws(CommandFailure) -> Bool {
        if cursor.take("(") {
            try push(.list(count: 0, isParenthesized: true))
            return false
        }
        if cursor.takeWord("NOT") {
            try cursor.space()
            try push(.not)
            return false
        }
        if cursor.takeWord("OR") {
            try cursor.space()
            try push(.or(count: 0))
            return false
        }
        steps += try SearchKey.steps(parsing: &cursor)
        return try finishOperand(&cursor)
    }

    private mutating func push(_ operation: Open) throws(CommandFailure) {
        guard open.count < SearchProgram.maximumDepth else { throw .syntax(.nesting) }
        open.append(operation)
    }

    /// An operand is there: closes what it completes, and stops where another key must follow.
    private mutating func finishOperand(_ cursor: inout CommandCursor) throws(CommandFailure) -> Bool {
        guard steps.count <= SearchProgram.maximumSteps else { throw .tooComplex }
        while let top = open.popLast() {
            switch top {
            case .not: steps.append(.not)
            case .or(count: 0):
                try cursor.space()
                open.append(.or(count: 1))
                return false
            case .or: steps.append(.or)
            case .list(let count, let isParenthesized):
                if cursor.take(" ") {
                    open.append(.list(count: count + 1, isParenthesized: isParenthesized))
                    return false
                }
                if isParenthesized { try cursor.expect(")", .searchKey) }
                if count > 0 { steps.append(.and(count: count + 1)) }
            }
        }
        return true
    }
}
