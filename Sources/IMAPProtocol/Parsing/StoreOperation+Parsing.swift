// `store-att-flags` (RFC 3501 §9): `FLAGS`, `+FLAGS` or `-FLAGS`, with `.SILENT` or without.

extension StoreOperation {
    init(parsing cursor: inout CommandCursor) throws(CommandFailure) {
        let mode: Mode = cursor.take("+") ? .add : cursor.take("-") ? .remove : .replace
        let isSilent = cursor.takeWord("FLAGS.SILENT")
        guard isSilent || cursor.takeWord("FLAGS") else { throw .syntax(.argument) }
        try cursor.space()
        self.init(mode, try Flags(parsingStoreArgument: &cursor), isSilent: isSilent)
    }
}
