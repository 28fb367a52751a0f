package yamllint

func (p *parser) stepBlock(t *Token) bool {
	switch p.state {
	case expectBlockEntry:
		switch t.Kind {
		case BlockEntry:
			return p.take(expectBlockItem)
		case BlockEnd:
			return p.take(p.pop())
		}
		return p.failFound("expected <block end>, but found", t)
	case expectBlockItem:
		if t.Kind == BlockEntry || t.Kind == BlockEnd {
			return p.become(expectBlockEntry)
		}
		return p.startNode(t, true, false, expectBlockEntry)
	case expectIndentlessEntry:
		if t.Kind == BlockEntry {
			return p.take(expectIndentlessItem)
		}
		return p.become(p.pop())
	case expectIndentlessItem:
		switch t.Kind {
		case BlockEntry, Key, Value, BlockEnd:
			return p.become(expectIndentlessEntry)
		}
		return p.startNode(t, true, false, expectIndentlessEntry)
	case expectBlockKey:
		switch t.Kind {
		case Key:
			return p.take(expectBlockKeyNode)
		case BlockEnd:
			return p.take(p.pop())
		}
		return p.failFound("expected <block end>, but found", t)
	case expectBlockKeyNode:
		return p.stepBlockNode(t, expectBlockValue)
	case expectBlockValue:
		if t.Kind == Value {
			return p.take(expectBlockValueNode)
		}
		return p.become(expectBlockKey)
	}
	return p.stepBlockNode(t, expectBlockKey)
}

// stepBlockNode expects the node after "?" or ":", which may be empty.
func (p *parser) stepBlockNode(t *Token, after parseState) bool {
	switch t.Kind {
	case Key, Value, BlockEnd:
		return p.become(after)
	}
	return p.startNode(t, true, true, after)
}

func (p *parser) stepFlowSequence(t *Token) bool {
	switch p.state {
	case expectFlowFirstItem:
		return p.flowItem(t)
	case expectFlowItem:
		switch t.Kind {
		case FlowSequenceEnd:
			return p.take(p.pop())
		case FlowEntry:
			return p.take(expectFlowNextItem)
		}
		return p.failFound("expected ',' or ']', but got", t)
	case expectFlowNextItem:
		return p.flowItem(t)
	case expectFlowPairKey:
		switch t.Kind {
		case Value, FlowEntry, FlowSequenceEnd:
			return p.become(expectFlowPairValue)
		}
		return p.startNode(t, false, false, expectFlowPairValue)
	case expectFlowPairValue:
		if t.Kind == Value {
			return p.take(expectFlowPairValueNode)
		}
		return p.become(expectFlowItem)
	}
	switch t.Kind { // a pair's value
	case FlowEntry, FlowSequenceEnd:
		return p.become(expectFlowItem)
	}
	return p.startNode(t, false, false, expectFlowItem)
}

func (p *parser) flowItem(t *Token) bool {
	switch t.Kind {
	case FlowSequenceEnd:
		return p.take(p.pop())
	case Key:
		return p.take(expectFlowPairKey)
	}
	return p.startNode(t, false, false, expectFlowItem)
}

func (p *parser) stepFlowMapping(t *Token) bool {
	switch p.state {
	case expectFlowFirstKey, expectFlowNextKey:
		switch t.Kind {
		case FlowMappingEnd:
			return p.take(p.pop())
		case Key:
			return p.take(expectFlowKeyNode)
		}
		return p.startNode(t, false, false, expectFlowKey) // a key without a value
	case expectFlowKey:
		switch t.Kind {
		case FlowMappingEnd:
			return p.take(p.pop())
		case FlowEntry:
			return p.take(expectFlowNextKey)
		}
		return p.failFound("expected ',' or '}', but got", t)
	case expectFlowKeyNode:
		switch t.Kind {
		case Value, FlowEntry, FlowMappingEnd:
			return p.become(expectFlowValue)
		}
		return p.startNode(t, false, false, expectFlowValue)
	case expectFlowValue:
		if t.Kind == Value {
			return p.take(expectFlowValueNode)
		}
		return p.become(expectFlowKey)
	}
	switch t.Kind { // the value
	case FlowEntry, FlowMappingEnd:
		return p.become(expectFlowKey)
	}
	return p.startNode(t, false, false, expectFlowKey)
}
