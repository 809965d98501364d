study=digits=mnist=__import__('types').SimpleNamespace(name='imbalance')
